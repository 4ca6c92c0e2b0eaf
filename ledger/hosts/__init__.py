"""How the GPUs of hosts are used, run or no run: watched minute by minute, or read from what a cluster keeps."""
