/**
 * Positional embeddings: they tell features where they lie.
 *
 * <p>Letters in shapes: B images, N features of an image, F feature size, P spatial dimensions.
 */
@NullMarked
package org.slotwise.position;

import org.jspecify.annotations.NullMarked;
