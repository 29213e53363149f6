/**
 * Whole models: an encoder, what slots start from, a grouping and a decoder as one block, made from
 * a configuration that is saved with its weights; presets, training, scores, prediction, and
 * folders that DJL loads by itself.
 *
 * <p>Letters in shapes: B images, H and W height and width of an image, N features of an image, F
 * feature size, K slots, D slot size.
 */
@NullMarked
package org.slotwise.model;

import org.jspecify.annotations.NullMarked;
