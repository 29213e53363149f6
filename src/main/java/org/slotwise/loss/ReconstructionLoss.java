package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
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
     * @param labels what was to be reconstructed: one array
     * @param predictions the reconstruction: one array
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is more than one array, or the two do not agree
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray label = single("labels", labels);
        NDArray prediction = single("predictions", predictions);
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
