import plain
import libs.one.thing
import libs.one.plain
