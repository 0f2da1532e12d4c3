//! Request and response shapes of Elastic Load Balancing, version 2.
