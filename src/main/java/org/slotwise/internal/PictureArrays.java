package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Bytes of pictures as arrays. The engine gets the bytes, and turns them into numbers four or eight
 * times as large in memory of its own: nothing of that size is made in Java.
 */
public final class PictureArrays {

    private static final int CHANNELS = 3;

    private PictureArrays() {}

    /**
     * Images.
     *
     * @param manager the owner, on whose device the array is made
     * @param images each (H, W, 3) unsigned bytes
     * @param height H
     * @param width W
     * @return (B, 3, H, W) float32 in [0, 1], each a byte divided by 255
     */
    public static NDArray images(NDManager manager, List<byte[]> images, int height, int width) {
        Shape stored = new Shape(images.size(), height, width, CHANNELS);
        Shape shape = new Shape(images.size(), CHANNELS, height, width);
        try (NDArray bytes = bytes(manager, images, stored);
                NDArray channelsFirst = bytes.transpose(0, 3, 1, 2)) {
            NDArray numbers = converted(manager, channelsFirst, shape, DataType.FLOAT32);
            try (NDArray white = Scalars.like(numbers, 255)) {
                return numbers.divi(white);
            }
        }
    }

    /**
     * Labels.
     *
     * @param manager the owner, on whose device the array is made
     * @param labels each (N) unsigned bytes
     * @return (B, N) int64
     */
    public static NDArray labels(NDManager manager, List<byte[]> labels) {
        Shape shape = new Shape(labels.size(), labels.get(0).length);
        try (NDArray bytes = bytes(manager, labels, shape)) {
            return converted(manager, bytes, shape, DataType.INT64);
        }
    }

    /** On the host, in a Java buffer. */
    private static NDArray bytes(NDManager manager, List<byte[]> rows, Shape shape) {
        ByteBuffer buffer = manager.allocateDirect(Math.toIntExact(shape.size()));
        for (byte[] row : rows) {
            buffer.put(row);
        }
        buffer.rewind();
        return JniUtils.createNdFromByteBuffer(
                (PtNDManager) manager,
                buffer,
                shape,
                DataType.UINT8,
                SparseFormat.DENSE,
                Device.cpu());
    }

    private static NDArray converted(
            NDManager manager, NDArray values, Shape shape, DataType type) {
        NDArray array =
                JniUtils.createEmptyNdArray(
                        (PtNDManager) manager,
                        shape,
                        type,
                        manager.getDevice(),
                        SparseFormat.DENSE);
        Ops.overwrite(array, values);
        return array;
    }
}
