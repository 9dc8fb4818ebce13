import debugger
