from app import first
