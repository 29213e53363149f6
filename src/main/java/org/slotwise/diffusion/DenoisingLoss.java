package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/**
 * How wrong a network's predictions are.
 *
 * <pre>{@code
 * loss = mean over images of w(t) mean (o - target)²
 * w(t) = 1                                     without minSnr
 *      = min(snr, minSnr) / snr                of NOISE
 *      = min(snr, minSnr) / snr + 1            of VELOCITY, as Latent Slot Diffusion has it
 *      = min(snr, minSnr)                      of DATA
 * }</pre>
 *
 * <p>Source: Ho et al. (2020), equation 14; the weight: Hang et al., "Efficient Diffusion Training
 * via Min-SNR Weighting Strategy" (2023). snr is the ratio of signal to noise at t.
 *
 * @param noising how latents were noised
 * @param prediction what the network predicts
 * @param minSnr gamma, 5 in the paper; infinity for no weight
 */
public record DenoisingLoss(Noising noising, Prediction prediction, double minSnr) {

    private static final String WHO = "DenoisingLoss";

    /**
     * Creates the loss.
     *
     * @param noising how latents were noised
     * @param prediction what the network predicts
     * @param minSnr above 0; infinity for no weight
     * @throws IllegalArgumentException if the number is not above 0
     */
    public DenoisingLoss {
        Check.option(minSnr > 0, WHO + ": minSnr must be above 0, got " + minSnr);
    }

    /**
     * The loss without a weight.
     *
     * @param noising how latents were noised
     * @param prediction what the network predicts
     * @return the loss
     */
    public static DenoisingLoss of(Noising noising, Prediction prediction) {
        return new DenoisingLoss(noising, prediction, Double.POSITIVE_INFINITY);
    }

    /**
     * What the squared error of an image counts.
     *
     * @param t its time
     * @return w(t)
     * @throws IllegalArgumentException if there is no such time
     */
    public double weight(int t) {
        double snr = noising.schedule().signalToNoise(t);
        return Double.isInfinite(minSnr) ? 1 : prediction.minSnr(snr, minSnr);
    }

    /**
     * The loss of a batch.
     *
     * @param predicted o (B, ...)
     * @param target (B, ...), of {@link Noising#target}
     * @param times one for each image
     * @return (), owned by the manager of what was predicted
     * @throws IllegalArgumentException if shapes or types differ, or there is no such time
     */
    public NDArray of(NDArray predicted, NDArray target, int... times) {
        Check.present(WHO, "what was predicted", predicted);
        Check.present(WHO, "target", target);
        Shape shape = predicted.getShape();
        Check.option(
                target.getShape().equals(shape),
                WHO + ": target must be " + shape + " as predictions, got " + target.getShape());
        Check.sameTypeAndDevice(WHO, "target", target, "predictions", predicted);
        noising.checkTimes(WHO, shape, times);
        NDArray error = predicted.sub(target).square();
        if (Double.isInfinite(minSnr)) {
            return error.mean();
        }
        double[] weights = new double[times.length];
        for (int b = 0; b < times.length; b++) {
            weights[b] = weight(times[b]) / shape.size();
        }
        NDArray each = error.reshape(shape.get(0), -1).sum(new int[] {1});
        NDArray w =
                Scalars.of(
                        each.getManager(),
                        each.getDevice(),
                        weights,
                        each.getShape(),
                        each.getDataType());
        return each.mul(w).sum();
    }
}
