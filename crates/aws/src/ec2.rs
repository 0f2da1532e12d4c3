//! Request and response shapes of the part of EC2 that is served.
