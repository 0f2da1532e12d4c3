//! The AWS protocols: codecs, SigV4, error envelopes, and the request and response shapes.
