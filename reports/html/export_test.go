package html

// DiskError words a failure to write.
var DiskError = diskError
