"""Our Envoy resources against istiod's, feature by feature.

``FEATURE.in.yaml`` is what a user writes, ``FEATURE.out.json`` what istiod sends each proxy of it, as `oracle dump` prints it.
`make goldens` writes them again.
"""
