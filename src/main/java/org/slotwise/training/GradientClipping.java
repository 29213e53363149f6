package org.slotwise.training;

import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.util.Arrays;
import java.util.Collection;
import org.slotwise.internal.Check;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * Scales the gradients of all parameters down together, such that their global norm stays within a
 * bound.
 *
 * <p>Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013),
 * algorithm 1; in the form of PyTorch's {@code clip_grad_norm_}.
 *
 * <pre>{@code
 * norm = sqrt(sum over parameters of the sum of gradient^2)        or the largest magnitude
 * gradient = gradient * min(maxNorm / (norm + 1e-6), 1)
 * }</pre>
 *
 * <p>It is one of DJL's listeners: DJL calls them between the backward pass and the step, so that
 * this is all that {@link ai.djl.training.EasyTrain} needs, whether by {@code fit} or by {@code
 * trainBatch}:
 *
 * <pre>{@code
 * config.addTrainingListeners(new GradientClipping(0.05));
 * }</pre>
 *
 * <p>In a loop that does not notify listeners it is called by hand, at the same place:
 *
 * <pre>{@code
 * collector.backward(loss);
 * clipping.clip(model.getBlock(), batchManager);
 * trainer.step();
 * }</pre>
 *
 * <p>{@code clip} reads nothing from the device; the listener reads one number a step. A norm that
 * is infinite or NaN makes every gradient NaN or zero; look at the norm to find such steps. DJL's
 * own {@code optClipGrad} is another thing: it clamps elements, and only those above the bound.
 */
public final class GradientClipping extends TrainingListenerAdapter {

    /** The name under which a trainer's metrics have the norm before clipping. */
    public static final String METRIC = "gradient_norm";

    private static final String WHO = "GradientClipping";

    /** What PyTorch adds to the norm. */
    private static final double EPS = 1e-6;

    private final double maxNorm;
    private final Norm kind;
    private double lastNorm = Double.NaN;

    /**
     * Creates the clipping.
     *
     * @param maxNorm the largest norm that gradients may have together, above 0; infinity leaves
     *     them alone and only measures
     * @throws IllegalArgumentException if the bound is not above 0
     */
    public GradientClipping(double maxNorm) {
        this(maxNorm, Norm.EUCLIDEAN);
    }

    /**
     * Creates the clipping by another norm.
     *
     * @param maxNorm the largest norm that gradients may have together, above 0; infinity leaves
     *     them alone and only measures
     * @param kind what the norm is
     * @throws IllegalArgumentException if the bound is not above 0
     */
    public GradientClipping(double maxNorm, Norm kind) {
        Check.option(maxNorm > 0, WHO + ": maxNorm must be above 0, got " + maxNorm);
        this.maxNorm = maxNorm;
        this.kind = kind;
    }

    /** How large gradients are together. */
    public enum Norm {
        /** The root of the sum of all squares. */
        EUCLIDEAN {
            @Override
            NDArray of(NDArray array) {
                return array.norm();
            }
        },
        /** The largest magnitude: PyTorch's {@code norm_type="inf"}. */
        LARGEST {
            @Override
            NDArray of(NDArray array) {
                return array.abs().max();
            }
        };

        abstract NDArray of(NDArray array);
    }

    /**
     * Clips the gradients of a trainer's model, and adds their norm to the trainer's metrics, if it
     * has any.
     *
     * @throws IllegalStateException if the trainer uses several devices, on which gradients are not
     *     added up yet
     */
    @Override
    public void onTrainingBatch(Trainer trainer, BatchData batchData) {
        if (trainer.getDevices().length > 1) {
            throw new IllegalStateException(
                    WHO
                            + ": a trainer with one device is needed, got "
                            + Arrays.toString(trainer.getDevices()));
        }
        try (NDArray norm =
                clip(trainer.getModel().getBlock(), batchData.getBatch().getManager())) {
            lastNorm = Ops.read(norm)[0];
        }
        Metrics metrics = trainer.getMetrics();
        if (metrics != null) {
            metrics.addMetric(METRIC, lastNorm);
        }
    }

    /**
     * The norm that the listener measured last, before clipping.
     *
     * @return the norm; NaN before the first step
     */
    public double lastNorm() {
        return lastNorm;
    }

    /**
     * Clips the gradients of a block's parameters.
     *
     * @param block the block that is being trained
     * @param manager the owner of the result
     * @return the norm before clipping, shape (), of the gradients' type
     * @throws IllegalStateException if no parameter has a gradient
     */
    public NDArray clip(Block block, NDManager manager) {
        return clip(block.getParameters().values(), manager);
    }

    /**
     * Clips the gradients of some parameters. Those that are frozen, or got no gradient, are passed
     * over.
     *
     * @param parameters the parameters, on the device on which they are trained
     * @param manager the owner of the result
     * @return the norm before clipping, shape (), of the first gradient's type
     * @throws IllegalStateException if no parameter has a gradient
     * @throws IllegalArgumentException if gradients are on different devices
     */
    public NDArray clip(Collection<Parameter> parameters, NDManager manager) {
        try (Scope scope = new Scope()) {
            NDList gradients = gradients(parameters);
            NDArray norm = norm(gradients, kind);
            NDArray scale =
                    Scalars.like(norm, maxNorm)
                            .div(norm.add(Scalars.like(norm, EPS)))
                            .minimum(Scalars.like(norm, 1));
            gradients.forEach(gradient -> gradient.muli(scale));
            return scope.keep(norm, manager);
        }
    }

    /** New handles on the gradients, to be closed by the scope. */
    private static NDList gradients(Collection<Parameter> parameters) {
        NDList gradients = new NDList(parameters.size());
        for (Parameter parameter : parameters) {
            if (!parameter.isInitialized() || !parameter.requiresGradient()) {
                continue;
            }
            NDArray gradient = Gradients.of(parameter.getArray());
            if (gradient != null) {
                gradients.add(gradient);
            }
        }
        if (gradients.isEmpty()) {
            throw new IllegalStateException(
                    WHO
                            + ": no parameter has a gradient; clip after the backward pass, with"
                            + " the parameters on the device on which they are trained");
        }
        for (NDArray gradient : gradients) {
            Check.sameDevice(WHO, "a gradient", gradient, "the others", gradients.head());
        }
        return gradients;
    }

    private static NDArray norm(NDList gradients, Norm kind) {
        NDList norms = new NDList(gradients.size());
        for (NDArray gradient : gradients) {
            norms.add(kind.of(gradient).toType(gradients.head().getDataType(), false));
        }
        return kind.of(NDArrays.stack(norms));
    }
}
