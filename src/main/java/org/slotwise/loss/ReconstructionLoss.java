package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Chosen;
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
 * <p>Label and prediction come as data sets and models give them: the prediction is the only one,
 * or that named "reconstruction" (of what decoders give); the label the only one, or the only one
 * of the prediction's shape (of a {@code SceneDataset} the images). They are on one device; the
 * label may be of another floating type, and then gets no gradient. The loss has shape (). Others
 * are picked by {@link ai.djl.training.loss.IndexLoss}.
 *
 * <p>How this differs from DJL's {@link ai.djl.training.loss.L2Loss}: there is no factor of one
 * half; a label of another shape is refused, not reshaped; and the gradient does not depend on a
 * Java buffer that the garbage collector may free before the backward pass.
 */
public final class ReconstructionLoss extends ShownLoss {

    private static final String WHO = "ReconstructionLoss";
    private static final String SEE = "IndexLoss";

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
     * @param labels what was to be reconstructed
     * @param predictions the reconstruction
     * @return a number, shape ()
     * @throws IllegalArgumentException if it is not clear which arrays are meant, or the two do not
     *     agree
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray prediction =
                Chosen.of(
                        WHO,
                        "predictions",
                        predictions,
                        SEE,
                        List.of(RECONSTRUCTION),
                        array -> false);
        Shape shape = prediction.getShape();
        NDArray target = named(TARGET, predictions);
        NDArray label =
                target != null
                        ? target
                        : Chosen.of(
                                WHO,
                                "labels",
                                labels,
                                SEE,
                                List.of(),
                                array -> isReal(array) && array.getShape().equals(shape));
        check(WHO, label, prediction);
        Check.option(
                label.getShape().equals(prediction.getShape()) && prediction.size() > 0,
                WHO
                        + ": the label must be "
                        + prediction.getShape()
                        + " as the prediction, and not empty, got "
                        + label.getShape());
        try (Scope scope = new Scope()) {
            NDArray loss = prediction.sub(ofType(label, prediction)).square().mean();
            return scope.keep(loss, prediction.getManager());
        }
    }

    private static @Nullable NDArray named(String name, NDList list) {
        return list.stream()
                .filter(a -> a != null && name.equals(a.getName()))
                .findFirst()
                .orElse(null);
    }

    private static boolean isReal(NDArray array) {
        return array.getDataType().isFloating();
    }
}
