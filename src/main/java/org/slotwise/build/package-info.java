/**
 * What the build does to the compiled classes: {@code NullRule}. Nothing of this package is in the
 * jar, and nothing knows it but the build.
 */
@NullMarked
package org.slotwise.build;

import org.jspecify.annotations.NullMarked;
