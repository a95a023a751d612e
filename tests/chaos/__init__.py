"""Orders placed while everything breaks, and what must hold afterwards.

`customers` place orders through the ingress, `faults` break things meanwhile, `books` asks every service what it knows at the end, and
`verdict` compares. The seed decides what is ordered and which faults come in which order; when exactly they hit is the machine's.
"""
