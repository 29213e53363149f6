package org.slotwise.examples.discover;

/**
 * What a {@link DiscoveryModel} looks like.
 *
 * @param side height and width of a picture
 * @param stride the encoder looks at every stride-th row and column
 * @param channels the channels of its convolutions
 * @param start where slots start, and how many there are
 * @param decoderHidden the size of the decoder's hidden layers
 */
record DiscoveryLayout(int side, int stride, int channels, SlotStart start, int decoderHidden) {

    /** How many slots there are. */
    int slots() {
        return start.slots();
    }
}
