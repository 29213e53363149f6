package org.slotwise.examples.photos;

/** How a {@link PhotoModel} starts and decodes its slots, how large it is, and how it learns. */
enum PhotoRecipe {

    /** For the features of a network: slots start at random, a decoder of patches. */
    NETWORK(64, 128, 1e-3),

    /** For simple features: slots start from clusters, and are decoded through attention. */
    BUILT_IN(32, 64, 4e-3);

    private final int dim;
    private final int hidden;
    private final double rate;

    PhotoRecipe(int dim, int hidden, double rate) {
        this.dim = dim;
        this.hidden = hidden;
        this.rate = rate;
    }

    /** The size of a slot. */
    int dim() {
        return dim;
    }

    /** The size of hidden layers between features and slots. */
    int hidden() {
        return hidden;
    }

    /** The learning rate at its highest. */
    double rate() {
        return rate;
    }
}
