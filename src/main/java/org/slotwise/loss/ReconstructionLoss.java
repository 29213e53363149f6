package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scope;

/**
 * The mean squared error of a reconstruction.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), section 2.2.
 *
 * <pre>{@code
 * mean over all elements of (prediction - label)^2
 * }</pre>
 *
 * <p>Label and prediction are one array each, of the same shape, type and device; the loss has
 * shape (). Where a model gives more than the reconstruction, {@link
 * ai.djl.training.loss.IndexLoss} picks it.
 *
 * <p>How this differs from DJL's {@link ai.djl.training.loss.L2Loss}: there is no factor of one
 * half; a label of another shape is refused, not reshaped; and the gradient does not depend on a
 * Java buffer that the garbage collector may free before the backward pass.
 */
public final class ReconstructionLoss extends ShownLoss {

    private static final String WHO = "ReconstructionLoss";

    /** What decoders and whole models call what they make, and what was to be made. */
    private static final String RECONSTRUCTION = "reconstruction";

    private static final String TARGET = "target";

    /** Creates the loss under the name "ReconstructionLoss". */
    public ReconstructionLoss() {
        this(WHO);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     */
    public ReconstructionLoss(String name) {
        super(name);
    }

    /**
     * The loss of a batch.
     *
     * @param labels what was to be reconstructed: one array; or, where predictions have names, the
     *     labels of a {@code SceneDataset}, of which the first are the images
     * @param predictions the reconstruction: one array, or the one named "reconstruction" of what a
     *     decoder or a whole model gives. One named "target" beside it stands for the label
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is more than one array and they have no names, or
     *     the two do not agree
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray made = named(RECONSTRUCTION, predictions);
        NDArray prediction = made == null ? single("predictions", predictions) : made;
        NDArray target = made == null ? null : named(TARGET, predictions);
        NDArray label = target == null ? label(labels, made != null) : target;
        Check.floating(WHO, "the prediction", prediction.getDataType());
        Check.sameTypeAndDevice(WHO, "the label", label, "the prediction", prediction);
        Check.option(
                label.getShape().equals(prediction.getShape()) && prediction.size() > 0,
                WHO
                        + ": the label must be "
                        + prediction.getShape()
                        + " as the prediction, and not empty, got "
                        + label.getShape());
        try (Scope scope = new Scope()) {
            NDArray loss = prediction.sub(label).square().mean();
            return scope.keep(loss, prediction.getManager());
        }
    }

    /** What was to be made: of the labels of a data set of scenes it is the first. */
    private static NDArray label(NDList labels, boolean ofModel) {
        return ofModel && labels.size() > 1
                ? Check.present(WHO, "labels", labels.head())
                : single("labels", labels);
    }

    private static @Nullable NDArray named(String name, NDList list) {
        return list.stream().filter(a -> name.equals(a.getName())).findFirst().orElse(null);
    }

    private static NDArray single(String what, NDList list) {
        Check.option(
                list.size() == 1,
                WHO
                        + ": expected one array of "
                        + what
                        + ", got "
                        + list.size()
                        + "; see IndexLoss");
        return Check.present(WHO, what, list.head());
    }
}
