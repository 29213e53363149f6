/**
 * How far a set of pictures is from another: Fréchet and kernel distance of their features, as
 * clean-fid defines them, in the features of any network.
 *
 * <p>Letters in shapes: n pictures of a set, B of a batch, d numbers of a picture's features.
 */
@NullMarked
package org.slotwise.distance;

import org.jspecify.annotations.NullMarked;
