/**
 * New pictures from slots of others: slots of many pictures, clustered into a library, and what is
 * drawn from it.
 *
 * <p>Letters in shapes: N pictures with K slots of size D each, C clusters, K' slots of a new
 * picture.
 */
@NullMarked
package org.slotwise.composition;

import org.jspecify.annotations.NullMarked;
