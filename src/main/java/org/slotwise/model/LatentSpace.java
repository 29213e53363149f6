package org.slotwise.model;

import org.slotwise.autoencoder.LatentAutoencoder;
import org.slotwise.diffusion.EstimateChange;

/**
 * What is diffused.
 *
 * @param autoencoder from images in [-1, 1] to latents, and back
 * @param change what sampling does to the latent that the network sees
 */
record LatentSpace(LatentAutoencoder autoencoder, EstimateChange change) {}
