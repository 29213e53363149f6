package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * How far categorical latents are from a uniform prior: the Kullback-Leibler term of the evidence
 * lower bound of slots that are discrete.
 *
 * <p>Source: the objective of VQ-SA, Kirilenko et al., "Quantized Disentangled Representations for
 * Object-Centric Visual Tasks" (2022), with its weight beta.
 *
 * <pre>{@code
 * q = softmax(logits)
 * beta * mean over images and slots of  sum over latents of  sum over codes of  q (log q + log M)
 * }</pre>
 *
 * <p>The prediction is one array of logits, (..., L, M), with L latents of M codes; there is no
 * label: what labels come are passed over. The loss has shape (), is at least 0 (up to rounding)
 * and at most beta L log M. Where a model gives more than the logits, pick them: {@code
 * loss.evaluate(new NDList(), new NDList(quantized.logits()))}.
 */
public final class UniformPriorLoss extends ShownLoss {

    private static final String WHO = "UniformPriorLoss";

    private final double beta;

    /** Creates the loss under the name "UniformPriorLoss", with weight 1. */
    public UniformPriorLoss() {
        this(WHO, 1);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     * @param beta its weight, at least 0
     * @throws IllegalArgumentException if the weight is negative or not finite
     */
    public UniformPriorLoss(String name, double beta) {
        super(name);
        Check.option(
                beta >= 0 && beta < Double.POSITIVE_INFINITY,
                WHO + ": beta must be at least 0 and finite, got " + beta);
        this.beta = beta;
    }

    /**
     * The loss of a batch.
     *
     * @param labels passed over
     * @param predictions one array of logits, (..., L, M)
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is more than one array, or it has fewer than two
     *     axes, or nothing in it
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        Check.option(
                predictions.size() == 1,
                WHO + ": expected one array of logits, got " + predictions.size());
        NDArray logits = Check.present(WHO, "logits", predictions.head());
        Check.floating(WHO, "logits", logits.getDataType());
        int rank = logits.getShape().dimension();
        Check.option(
                rank >= 2 && logits.size() > 0,
                WHO + ": logits must be (..., L, M), and not empty, got " + logits.getShape());
        double codes = (double) logits.getShape().get(rank - 1);
        double latents = (double) logits.getShape().get(rank - 2);
        try (Scope scope = new Scope()) {
            NDArray logQ = logits.logSoftmax(rank - 1);
            NDArray divergence = logQ.exp().mul(logQ.add(Scalars.like(logQ, Math.log(codes))));
            // The mean over all, with L latents and M codes added up instead.
            NDArray weight = Scalars.like(logQ, beta * latents * codes);
            return scope.keep(divergence.mean().mul(weight), logits.getManager());
        }
    }
}
