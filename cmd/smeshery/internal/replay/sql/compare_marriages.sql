SELECT node_id, atx FROM activation.marriages
