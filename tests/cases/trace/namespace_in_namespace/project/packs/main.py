from company import team
import company.team.used
import tools

def go():
    from company import alone
    from company.app import plugins
