/**
 * SLATE: pictures as tokens, which slots explain and from which pictures are made again, token by
 * token. A discrete auto-encoder, slot attention on its tokens, and a transformer that is prompted
 * with slots.
 */
@NullMarked
package org.slotwise.slate;

import org.jspecify.annotations.NullMarked;
