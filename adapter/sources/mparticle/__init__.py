"""mparticle."""
