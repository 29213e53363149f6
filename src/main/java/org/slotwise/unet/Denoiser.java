package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A network that tells noise from picture, conditioned on slots: what a diffusion model learns.
 *
 * <p>Source: Ho et al., "Denoising Diffusion Probabilistic Models" (2020), section 3.2; on slots as
 * in Jiang et al., "Object-Centric Slot Diffusion" (2023), and Wu et al., "SlotDiffusion" (2023).
 *
 * <pre>{@code
 * prediction = f(z_t, t, slots)
 * }</pre>
 *
 * <p>What the prediction is of, the noise, the latents or the velocity between them, is the
 * training's affair: the network is the same. As a block on lists it takes latents, timesteps and
 * slots, in this order, and gives the prediction.
 */
public interface Denoiser extends Block {

    /**
     * Predicts.
     *
     * @param store where the parameters' values are
     * @param latents z_t (B, C, h, w) of the parameters' type
     * @param timesteps t (B) int64, for each picture its own
     * @param slots (B, K, D) of the parameters' type; any K of at least 1
     * @param training whether to record a graph for gradients
     * @return (B, C', h, w), owned by the latents' manager; C' is C where the network predicts
     *     noise, latents or velocity
     * @throws IllegalArgumentException if an input has another shape or type
     */
    NDArray predict(
            ParameterStore store,
            NDArray latents,
            NDArray timesteps,
            NDArray slots,
            boolean training);

    /**
     * Predicts in training, and takes the gradients of a loss of what is predicted: what {@link
     * #predict} and a backward pass do, in less memory where the network can. Gradients go to the
     * parameters, and to slots that are part of a graph; none to latents.
     *
     * @param store where the parameters' values are
     * @param latents z_t (B, C, h, w) of the parameters' type
     * @param timesteps t (B) int64
     * @param slots (B, K, D) of the parameters' type
     * @param loss of what is predicted: one number, with a graph
     * @param backward goes back from the loss, {@code collector::backward} for instance
     * @return the loss (), without a graph, owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    default NDArray backward(
            ParameterStore store,
            NDArray latents,
            NDArray timesteps,
            NDArray slots,
            UnaryOperator<NDArray> loss,
            Consumer<NDArray> backward) {
        try (NDManager own = latents.getManager().newSubManager()) {
            NDArray predicted = predict(store, latents, timesteps, slots, true);
            predicted.attach(own);
            NDArray value = WayBack.from(predicted, loss, backward);
            value.attach(latents.getManager());
            return value;
        }
    }

    /**
     * Tells the network slots that stay the same in the predictions to come, as in sampling.
     *
     * @param store where the parameters' values are
     * @param slots (B, K, D) of the parameters' type
     * @param times t that predictions will be asked for, each of at least 0, as far as they are
     *     known: what follows from them is made at once; others may be asked for too
     * @return the network under these slots; to be closed, before its slots are
     * @throws IllegalArgumentException if the slots have another shape or type, or a time is below
     *     0
     */
    default ToldDenoiser told(ParameterStore store, NDArray slots, int... times) {
        return new ToldDenoiser() {
            @Override
            public NDArray predict(NDArray latents, NDArray timesteps) {
                return Denoiser.this.predict(store, latents, timesteps, slots, false);
            }

            @Override
            public void close() {
                // There is nothing of its own.
            }
        };
    }

    /**
     * Whether what is predicted for a picture depends on nothing of the other pictures of its
     * batch. Then a training may compute a batch group by group, which needs less memory ({@code
     * org.slotwise.diffusion.LatentDiffusionDecoder}); with statistics of batches, as batch
     * normalisation has them, it may not.
     *
     * @return false, unless a network says otherwise
     */
    default boolean seesPicturesAlone() {
        return false;
    }

    /**
     * Requires inputs to fit the network, and each other, before anything is computed: by it a
     * batch that is computed group by group is refused as a whole.
     *
     * @param latents z_t (B, C, h, w)
     * @param slots (B, K, D)
     * @throws IllegalArgumentException if an input has another shape or type, unless the network
     *     leaves that to {@link #predict}
     */
    default void requireFit(NDArray latents, NDArray slots) {
        // A network of somebody's own says so when it predicts.
    }

    /**
     * How places attend to slots while the network predicts: the weights of each cross attention,
     * means over its heads. No graph is recorded. {@code
     * org.slotwise.diffusion.CrossAttentionMasks} makes masks of them.
     *
     * @param store where the parameters' values are
     * @param latents z_t (B, C, h, w) of the parameters' type
     * @param timesteps t (B) int64
     * @param slots (B, K, D) of the parameters' type
     * @return for each cross attention, in the order in which they are computed, (B, K, h', w') at
     *     its own size, whose sums over slots are 1; owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type
     * @throws UnsupportedOperationException if the network gives no such weights
     */
    default NDList crossAttention(
            ParameterStore store, NDArray latents, NDArray timesteps, NDArray slots) {
        throw new UnsupportedOperationException(
                getClass().getSimpleName() + ": it does not tell how places attend to slots");
    }
}
