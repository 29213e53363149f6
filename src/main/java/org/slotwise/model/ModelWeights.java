package org.slotwise.model;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/** The weights of a new block. */
final class ModelWeights {

    private ModelWeights() {}

    /** Draws weights with the engine's generator. */
    static void draw(ObjectDiscovery block, NDManager manager, DataType type) {
        ObjectDiscoveryConfiguration c = block.madeFrom();
        block.initialize(manager, type, new Shape(1, 3, c.imageHeight(), c.imageWidth()));
    }
}
