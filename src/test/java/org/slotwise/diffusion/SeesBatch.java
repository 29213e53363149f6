package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.slotwise.unet.Denoiser;
import org.slotwise.unet.UNet;

/** A network of somebody's own, which takes the mean of the batch from its latents. */
final class SeesBatch extends AbstractBlock implements Denoiser {

    private final UNet unet;

    SeesBatch(UNet unet) {
        this.unet = addChildBlock("unet", unet);
    }

    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
        unet.initialize(manager, type, shapes);
    }

    @Override
    public NDArray predict(
            ParameterStore store, NDArray latents, NDArray times, NDArray slots, boolean training) {
        NDArray mean = latents.mean(new int[] {0}, true);
        return unet.predict(store, latents.sub(mean), times, slots, training);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList in, boolean training, PairList<String, Object> params) {
        return new NDList(predict(store, in.get(0), in.get(1), in.get(2), training));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
        return unet.getOutputShapes(shapes);
    }
}
