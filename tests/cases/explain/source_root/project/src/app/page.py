x = 1

import app.deep  # long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long 
