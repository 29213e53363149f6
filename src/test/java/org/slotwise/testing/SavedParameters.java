package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;

/** What {@code saveParameters} wrote, read by blocks that it is not of. */
public final class SavedParameters {

    private SavedParameters() {}

    /**
     * Requires that they are refused.
     *
     * @param saved what {@link BlockContract#save} gave
     * @param block who reads them
     * @param manager where to
     * @return what the block says
     */
    public static String refusal(byte[] saved, Block block, NDManager manager) {
        return String.valueOf(
                assertThrows(
                                MalformedModelException.class,
                                () ->
                                        block.loadParameters(
                                                manager,
                                                new DataInputStream(
                                                        new ByteArrayInputStream(saved))))
                        .getMessage());
    }
}
