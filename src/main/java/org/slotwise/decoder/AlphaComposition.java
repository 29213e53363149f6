package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

/**
 * Composes images of slots into one: each slot's fourth channel says how much it wants to be seen
 * at a pixel, and a softmax over slots settles who is.
 */
final class AlphaComposition {

    /** Red, green, blue and alpha. */
    static final int CHANNELS = 4;

    private static final int COLOURS = 3;

    /** {@link #compose} in TorchScript, of channels y (B K, 4, H, W) for slots (B, K, D). */
    static final String SCRIPT =
            """
              c = torch.reshape(y, [torch.size(slots, 0), torch.size(slots, 1), 4, torch.size(y, 2), torch.size(y, 3)])
              colours = torch.slice(c, 2, 0, 3, 1)
              masks = torch.softmax(torch.select(c, 2, 3), 1)
              r = torch.sum(torch.mul(colours, torch.unsqueeze(masks, 2)), [1])
              return {"reconstruction": r, "slot_images": colours, "masks": masks}
            """;

    private AlphaComposition() {}

    /** Reconstruction, slot images and masks of channels (B, K, 4, H, W). */
    static NDList compose(NDArray channels) {
        NDArray colours = channels.get(":, :, 0:{}", COLOURS); // (B, K, 3, H, W)
        NDArray masks = channels.get(":, :, {}", COLOURS).softmax(1); // (B, K, H, W)
        NDArray reconstruction = colours.mul(masks.expandDims(2)).sum(new int[] {1});
        return new NDList(reconstruction, colours, masks);
    }

    /** What {@link #SCRIPT} gives in the order of {@link #compose}, without names. */
    static NDList inOrder(NDList named) {
        NDList out = new NDList();
        for (String name : new String[] {"reconstruction", "slot_images", "masks"}) {
            NDArray array = named.get(name);
            array.setName(null);
            out.add(array);
        }
        return out;
    }

    /** The shapes of reconstruction, slot images and masks for slots (B, K, D). */
    static Shape[] shapes(Shape slots, long height, long width) {
        long batch = slots.get(0);
        long k = slots.get(1);
        return new Shape[] {
            new Shape(batch, COLOURS, height, width),
            new Shape(batch, k, COLOURS, height, width),
            new Shape(batch, k, height, width)
        };
    }
}
