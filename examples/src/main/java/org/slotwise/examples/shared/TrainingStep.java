package org.slotwise.examples.shared;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import java.util.Collection;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * A step of a training.
 *
 * @param loss what was minimised
 * @param norm the largest gradient, before clipping
 */
public record TrainingStep(double loss, double norm) {

    /**
     * Takes a step: gradients, clipping, update.
     *
     * @param manager who owns what is made
     * @param parameters what learns
     * @param adam its optimizer
     * @param clipping bounds the gradients
     * @param loss computes what is minimised, of shape ()
     */
    public static TrainingStep take(
            NDManager manager,
            Collection<Parameter> parameters,
            Adam adam,
            GradientClipping clipping,
            Supplier<NDArray> loss) {
        return takeByParts(
                manager,
                parameters,
                adam,
                clipping,
                backward -> {
                    NDArray value = loss.get();
                    backward.accept(value);
                    return value;
                });
    }

    /**
     * Takes a step whose loss goes back by parts: gradients, clipping, update.
     *
     * @param manager who owns what is made
     * @param parameters what learns
     * @param adam its optimizer
     * @param clipping bounds the gradients
     * @param loss gives each part of what is minimised to what goes back from it, and returns the
     *     whole, of shape ()
     */
    public static TrainingStep takeByParts(
            NDManager manager,
            Collection<Parameter> parameters,
            Adam adam,
            GradientClipping clipping,
            Function<Consumer<NDArray>, NDArray> loss) {
        NDArray value;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            value = loss.apply(collector::backward);
        }
        double norm = clipping.clip(parameters, manager).getFloat();
        for (Parameter parameter : parameters) {
            NDArray weight = parameter.getArray();
            try (NDArray gradient = weight.getGradient()) {
                adam.update(parameter.getId(), weight, gradient);
            }
        }
        return new TrainingStep(value.getFloat(), norm);
    }
}
