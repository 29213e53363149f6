package org.slotwise.gnm;

/**
 * What a {@link Gnm}'s loss has beside the likelihood: Kullback-Leibler divergences of posteriors,
 * from what the scene latent predicts, and from a second prior that is fixed.
 */
public enum GnmTerm {
    /** Presence of each cell, from the prior that the scene latent gives. */
    PRESENCE,
    /** Where each cell's object is, as it is drawn, from the same prior. */
    WHERE,
    /** How deep, from the same prior. */
    DEPTH,
    /** What, from the same prior. */
    WHAT,
    /** The background, from the prior that the scene latent gives. */
    BACKGROUND,
    /** The scene latent, all steps, each from its own prior. */
    SCENE,
    /** Presence, from a fixed probability. */
    FIXED_PRESENCE,
    /** Where, from a fixed normal distribution, times presence. */
    FIXED_WHERE,
    /** Depth, from the standard normal distribution, times presence. */
    FIXED_DEPTH,
    /** What, from the standard normal distribution, times presence. */
    FIXED_WHAT,
    /** The background, from the standard normal distribution. */
    FIXED_BACKGROUND
}
