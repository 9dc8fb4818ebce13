from app import bom, crlf, empty, latin, naïve
