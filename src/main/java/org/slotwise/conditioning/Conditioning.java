package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

/**
 * A block that gives the slots' initial values.
 *
 * <p>Source: {@code ocl.conditioning} of the Object-Centric Learning Framework.
 *
 * <p>On {@link ai.djl.ndarray.NDList}s it takes any array whose first size is the batch: the one
 * named "features" or, where none is, the first, so that it can be given an encoder's whole output.
 * An array named "noise", (B, K, D), takes the place of the draw. It returns one array, (B, K, D),
 * named "conditioning".
 *
 * <p>{@code training} false means inference: no graph for gradients is recorded, whatever thread it
 * runs in. The results are of the parameters' type.
 */
public interface Conditioning extends Block {

    /** The name of the result in an {@link ai.djl.ndarray.NDList}. */
    String CONDITIONING = "conditioning";

    /** The name of noise given from outside in an {@link ai.djl.ndarray.NDList}. */
    String NOISE = "noise";

    /**
     * Gives the initial values of the slots of a batch of images, and draws what is random in them.
     *
     * @param parameterStore where the parameters' values are
     * @param manager the owner of the result, on whose device it is made
     * @param batch the number of images, B, at least 1
     * @param slots the number of slots, K, at least 1
     * @param training whether to record a graph for gradients
     * @return (B, K, D)
     * @throws IllegalArgumentException if a number is out of range, or there are more slots than
     *     the block has values for
     */
    NDArray sample(
            ParameterStore parameterStore,
            NDManager manager,
            long batch,
            long slots,
            boolean training);

    /**
     * Gives the initial values of slots for given draws, so that a result can be repeated. A block
     * in which nothing is random takes nothing but the shape from them.
     *
     * @param parameterStore where the parameters' values are
     * @param noise standard normal draws, (B, K, D), of the parameters' type
     * @param training whether to record a graph for gradients
     * @return (B, K, D), owned by the manager of the noise
     * @throws IllegalArgumentException if the noise has another shape, type or device, or there are
     *     more slots than the block has values for
     */
    NDArray sample(ParameterStore parameterStore, NDArray noise, boolean training);
}
