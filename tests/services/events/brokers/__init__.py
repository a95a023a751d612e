"""Real brokers as plain processes, each on free ports of 127.0.0.1 that it keeps when it is started again."""
