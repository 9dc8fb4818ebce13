from app import core, loader, nothing
