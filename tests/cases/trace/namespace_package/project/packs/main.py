from company.team import service
import company.other.thing
import redis
