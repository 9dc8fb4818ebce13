import app.data_folder

app.data_folder.initialize(__name__)
