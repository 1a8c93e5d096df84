"""miscela beside its peers in Python: what `compare.py` and `memory.py` are made of.

environment  the peers' own virtual environment, their versions, the machine
data         rows to cluster, and where to start
kmeans       one fit of k-means by each program
mixture      one fit of a mixture by each program
report       taking turns, refusing to compare what is not the same, tables
memory       the peak memory of one fit by each program
setting      what was asked for, the sizes that are measured, the machine's limits
beside       tables: miscela beside its peers
scaling      tables: threads, types, sizes, memory
"""
