"""Many sensors, one honest track: plots become tracks with covariance, existence and history.

Pure: no clock, no disk, no dice; the same scans give the same tracks. Positions are metres in a local east-north
plane, times are seconds (`t_s`), angles radians clockwise from north unless a name says otherwise.
"""
