package org.slotwise.internal;

import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;

/**
 * Declares parameters of a block on behalf of the layers that it is made of, under names of their
 * own. A layer is no block inside the block: its parameters are the block's, so that names are as
 * flat or as deep as a state dict has them, and one call of the block fetches all of them.
 */
public final class Declarer {

    private final DeclaredBlock block;
    private final String prefix;

    Declarer(DeclaredBlock block, String prefix) {
        this.block = block;
        this.prefix = prefix;
    }

    /**
     * Declares under a name: {@code under("to_q").weight("weight", ...)} is "to_q.weight".
     *
     * @param name what stands before the names that follow, without the dot
     * @return a declarer of the same block
     */
    public Declarer under(String name) {
        return new Declarer(block, prefix + name + '.');
    }

    /**
     * Declares a weight.
     *
     * @param name its name
     * @param start how it starts
     * @param shape its shape
     * @return the parameter
     */
    public Parameter weight(String name, Initializer start, long... shape) {
        return block.declare(prefix + name, Parameter.Type.WEIGHT, start, shape);
    }

    /**
     * Declares a bias.
     *
     * @param name its name
     * @param start how it starts
     * @param size its size
     * @return the parameter
     */
    public Parameter bias(String name, Initializer start, long size) {
        return block.declare(prefix + name, Parameter.Type.BIAS, start, size);
    }

    /**
     * Declares the gain of a normalisation, which starts at 1.
     *
     * @param name its name
     * @param size its size
     * @return the parameter
     */
    public Parameter gain(String name, long size) {
        return block.declare(prefix + name, Parameter.Type.GAMMA, Initializer.ONES, size);
    }

    /**
     * Declares the offset of a normalisation, which starts at 0.
     *
     * @param name its name
     * @param size its size
     * @return the parameter
     */
    public Parameter offset(String name, long size) {
        return block.declare(prefix + name, Parameter.Type.BETA, Initializer.ZEROS, size);
    }

    /**
     * Declares a parameter of another kind.
     *
     * @param name its name
     * @param start how it starts
     * @param learnt whether it is trained
     * @param shape its shape; none for a number
     * @return the parameter
     */
    public Parameter other(String name, Initializer start, boolean learnt, long... shape) {
        return block.declare(prefix + name, Parameter.Type.OTHER, start, learnt, shape);
    }

    /**
     * Declares a running mean, which starts at 0 and is not trained.
     *
     * @param name its name
     * @param size its size
     * @return the parameter
     */
    public Parameter runningMean(String name, long size) {
        return block.declare(
                prefix + name, Parameter.Type.RUNNING_MEAN, Initializer.ZEROS, false, size);
    }

    /**
     * Declares a running variance, which starts at 1 and is not trained.
     *
     * @param name its name
     * @param size its size
     * @return the parameter
     */
    public Parameter runningVariance(String name, long size) {
        return block.declare(
                prefix + name, Parameter.Type.RUNNING_VAR, Initializer.ONES, false, size);
    }
}
