package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.pooling.Pool;
import org.slotwise.torchscript.ScriptModule;

/**
 * The mean colours of patches of pixels and of those around them. What lies beyond the border
 * counts as black: DJL's averages count it, whatever they are asked for.
 *
 * @param size height and width of a patch
 * @param around over how many patches, in height and width; odd
 */
record PatchColours(int size, int around) {

    private static final int COLOURS = 3;

    /** From images (B, 3, H, W) to colours (B, N, 3), patches row by row, begun ones too. */
    NDArray of(NDArray images) {
        Shape patch = new Shape(size, size);
        Shape none = new Shape(0, 0);
        NDArray means =
                size == 1 ? images : Pool.avgPool2d(images, patch, patch, none, true, false);
        int margin = around / 2;
        NDArray smooth =
                around == 1
                        ? means
                        : Pool.avgPool2d(
                                means,
                                new Shape(around, around),
                                new Shape(1, 1),
                                new Shape(margin, margin),
                                false,
                                false);
        return smooth.reshape(images.getShape().get(0), COLOURS, -1).swapAxes(1, 2);
    }

    /** The same in TorchScript: {@code forward(images)}. */
    ScriptModule script() {
        String means =
                size == 1
                        ? "images"
                        : "torch.avg_pool2d(images, [%1$s, %1$s], [%1$s, %1$s], [0, 0], True, False)"
                                .formatted(size);
        String smooth =
                around == 1
                        ? "m"
                        : "torch.avg_pool2d(m, [%1$s, %1$s], [1, 1], [%2$s, %2$s], False, True)"
                                .formatted(around, around / 2);
        return ScriptModule.builder("PatchColours")
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Tensor:
                          m = %s
                          s = torch.reshape(%s, [torch.size(images, 0), 3, -1])
                          return torch.transpose(s, 1, 2)
                        """
                                .formatted(means, smooth))
                .build();
    }
}
