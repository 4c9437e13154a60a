"""The measurements behind every claim about speed, with the peers that we compare ourselves to.

    ./run bench mirror      polling: CPU, throughput, writes, budget, presses, memory
    ./run bench live        from a commit to the changed page, beside hundreds of open streams
    ./run bench pages       the pages on a large data set against a hundredth of it

Every figure is a ratio against a peer or a limit of the same run. What is compared is measured in turns, A-B-A-B; the
result is the median of the rounds, beside its range; a calibration loop tells whether the machine was busy with other
things meanwhile.

    stage       servers, databases, environment and child processes of a run
    part        one measured part in a process of its own
    figures     a result and how it is printed and kept
    clocks      rounds, percentiles, CPU and memory of processes, calibration
    responder   the other side: a minimal HTTP server with a fixed latency, in a process of its own
    peers       what we compare ourselves to
"""
