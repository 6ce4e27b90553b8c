"""The rest of a day that has begun: what comes of it by what its rep did and says, and how it is mended."""
