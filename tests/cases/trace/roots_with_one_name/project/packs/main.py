import both.first
import single
import alone
