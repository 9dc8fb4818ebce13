import corp.billing
import corp.other
