from . import shared
import company.billing
