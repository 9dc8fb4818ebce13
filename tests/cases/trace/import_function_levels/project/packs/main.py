import app.tool
