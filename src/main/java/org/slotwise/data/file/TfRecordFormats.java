package org.slotwise.data.file;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slotwise.data.SceneFileException;

/** Tells which of DeepMind's data sets a TFRecord file is from: no two have the same sizes. */
final class TfRecordFormats {

    private static final List<SceneFormat> KNOWN =
            List.of(
                    SceneFormat.CLEVR_WITH_MASKS,
                    SceneFormat.TETROMINOES,
                    SceneFormat.MULTI_DSPRITES_BINARIZED,
                    SceneFormat.MULTI_DSPRITES_COLORED_ON_GRAYSCALE,
                    SceneFormat.MULTI_DSPRITES_COLORED_ON_COLORED,
                    new SceneFormat(
                            "objects_room", 64, 64, 3, 7, SceneFormat.MaskOrder.ENTITY_FIRST));

    private TfRecordFormats() {}

    /** By the first record. */
    static SceneFormat of(Path file) throws IOException {
        long most = KNOWN.stream().mapToLong(SceneFormat::mostBytes).max().orElseThrow();
        try (TfRecordReader reader = new TfRecordReader(file, most)) {
            byte[] first = reader.next(new byte[0]);
            InvalidProtocolBufferException why = null;
            for (SceneFormat format : KNOWN) {
                try {
                    if (first != null) {
                        format.scene(new TfExample(first));
                        return format;
                    }
                } catch (InvalidProtocolBufferException e) {
                    why = e;
                }
            }
            throw new SceneFileException(
                    file,
                    "no scenes of "
                            + KNOWN.stream().map(SceneFormat::name).toList()
                            + "; TfRecordScenes takes a format",
                    why);
        }
    }
}
