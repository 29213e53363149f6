/** Pictures as tokens, slots as prompts: a model that makes pictures of slots. */
@NullMarked
package org.slotwise.examples.slate;

import org.jspecify.annotations.NullMarked;
