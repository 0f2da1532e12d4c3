//! The nouns: ids, ARNs, clusters, task definitions, services, tasks, load balancers, target groups, units, time.
