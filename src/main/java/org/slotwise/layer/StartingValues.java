package org.slotwise.layer;

import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Scalars;

/** Starting values of parameters that DJL's own initializers do not give. */
public final class StartingValues {

    private StartingValues() {}

    /**
     * Uniform in [-bound, bound].
     *
     * @param bound the largest magnitude
     * @return the initializer
     */
    public static Initializer uniform(double bound) {
        return (manager, shape, type) ->
                manager.randomUniform((float) -bound, (float) bound, shape, type);
    }

    /**
     * What PyTorch gives the weights and biases of a Linear: uniform in ±1/√(input size).
     *
     * @param inputs the input size
     * @return the initializer
     */
    public static Initializer linear(long inputs) {
        return uniform(1 / Math.sqrt((double) inputs));
    }

    /**
     * What PyTorch gives the weights and biases of a Conv2d: uniform in ±1/√(inputs of an output).
     *
     * @param channels the channels that go in; for a ConvTranspose2d, those that come out
     * @param kernel the kernel's height and width
     * @return the initializer
     */
    public static Initializer convolution(long channels, int kernel) {
        return linear(channels * kernel * kernel);
    }

    /**
     * Xavier (Glorot) uniform: ±√(6 / (inputs + outputs)).
     *
     * @param inputs the input size
     * @param outputs the output size
     * @return the initializer
     */
    public static Initializer xavier(long inputs, long outputs) {
        return uniform(Math.sqrt(6.0 / (double) (inputs + outputs)));
    }

    /**
     * Normal with mean 0.
     *
     * @param deviation the standard deviation
     * @return the initializer
     */
    public static Initializer normal(double deviation) {
        return (manager, shape, type) -> manager.randomNormal(0f, (float) deviation, shape, type);
    }

    /**
     * A number.
     *
     * @param value the number, kept in the parameter's full precision
     * @return the initializer
     */
    public static Initializer constant(double value) {
        return (manager, shape, type) -> Scalars.full(manager, shape, value, type);
    }
}
