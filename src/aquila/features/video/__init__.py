"""Video: where streams can be watched. The node keeps the addresses as text; it never opens one."""

from aquila.core.feature import Feature
from aquila.features.video.commands import drop_video_row, put_video_row
from aquila.features.video.marti import endpoints
from aquila.features.video.queries import videos
from aquila.features.video.view import Video, Videos

feature = Feature(
    name="video",
    views=(Videos,),
    queries=(videos,),
    commands=(put_video_row, drop_video_row),
    endpoints=endpoints,
)

__all__ = ["Video", "Videos", "feature"]
